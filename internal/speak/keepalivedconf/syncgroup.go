package keepalivedconf

// syncGroup reads a vrrp_sync_group.
func (r *reader) syncGroup(s *Statement) {
	name, ok := r.blockName(s)
	if !ok {
		return
	}
	if len(r.config.Groups) == mostBlocks {
		r.wrong(s.At(), "run the others by another file", "there are more than %d groups", mostBlocks)
		return
	}
	g := SyncGroup{Name: name, At: s.At(), Notify: Notify{PriorityChanges: r.defaults.priorityChanges}}
	r.each(s.Block.Statements, levels["vrrp_sync_group"], func(s *Statement) {
		switch s.Keyword() {
		case "group":
			r.each(s.Block.Statements, levels[inList], func(one *Statement) {
				for _, w := range one.Words {
					g.Instances = append(g.Instances, w.Text)
					g.Members = append(g.Members, Track{Name: w.Text, At: w.At})
				}
			})
		case "track_script":
			g.Scripts = append(g.Scripts, r.tracks(s)...)
		case "track_process":
			g.Processes = append(g.Processes, r.tracks(s)...)
		case "track_interface":
			g.Interfaces = append(g.Interfaces, r.tracks(s)...)
		case "sync_group_tracking_weight":
			g.Weights = r.flag(s)
		case "global_tracking": // what its members have anyway
		default:
			r.notify(s, &g.Notify)
		}
	})
	r.ownWeights(g.Scripts, g.Processes)
	if other := r.config.Group(name); other != nil {
		r.wrong(s.At(), "give it another name", "vrrp_sync_group %s is there already, in line %d", shown(name), other.At.Line)
		return
	}
	r.config.Groups = append(r.config.Groups, g)
}

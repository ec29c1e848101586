package keepalivedconf

// Is reports whether a text is a keepalived.conf, and not another program's: a line begins with one of its blocks.
func Is(text []byte) bool {
	if len(text) > MaxFile {
		return false
	}
	clean, _ := cleaned("", text)
	for _, t := range lex(clean) {
		if t.first && t.kind == kindWord && (namedBlock(t.text) || t.text == "global_defs") {
			return true
		}
	}
	return false
}

package sentinelconf

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"redkeep/internal/syntax"
)

// takeMany reads the directives after which any number of words may follow.
func (d *directive) takeMany(words []string, now string) (string, refusal) {
	switch d.kind {
	case kindSomeOf:
		return d.choose(words)
	case kindAddresses:
		return bindText(words)
	case kindSavePoints:
		return "", savePairs(words)
	case kindBufferLimits:
		return limits(words, now)
	case kindOomScores:
		return scores(words)
	case kindReplicaOf:
		return masterText(words)
	default:
		return percentileText(words)
	}
}

// bindText reads the addresses to listen on. None at all is written as an empty word, and the usual ones not at all.
func bindText(words []string) (string, refusal) {
	const most = 16
	if len(words) > most {
		return "", "Too many bind addresses specified."
	}
	if len(words) == 0 || len(words) == 1 && words[0] == "" {
		return `""`, ""
	}
	if slices.Equal(words, []string{"*", "-::*"}) {
		return "", ""
	}
	return phrase(words), ""
}

// phrase writes words so that they are read as the same.
func phrase(words []string) string {
	var b []byte
	for i, w := range words {
		if i > 0 {
			b = append(b, ' ')
		}
		b = syntax.AppendWord(b, w)
	}
	return string(b)
}

// savePairs looks at when a server would save; Sentinel forgets it.
func savePairs(words []string) refusal {
	if len(words) == 0 || len(words) == 1 && words[0] == "" {
		return ""
	}
	if len(words)%2 != 0 {
		return "Invalid save parameters"
	}
	for i, w := range words {
		n, err := strconv.ParseInt(w, 10, 64)
		if err != nil || n < int64(1-i%2) {
			return "Invalid save parameters"
		}
	}
	return ""
}

// limits reads the bounds of clients' outputs, and changes those of the classes that are named. They are a line for each class.
func limits(words []string, now string) (string, refusal) {
	if len(words)%4 != 0 {
		return "", "Wrong number of arguments in buffer limit configuration."
	}
	classes := strings.Split(now, "\n")
	for ; len(words) > 0; words = words[4:] {
		class := strings.ToLower(words[0])
		if class == "slave" {
			class = "replica"
		}
		at := slices.IndexFunc(classes, func(line string) bool { return strings.HasPrefix(line, class+" ") })
		if at < 0 {
			return "", "Invalid client class specified in buffer limit configuration."
		}
		hard, ok := bytesOf(words[1])
		soft, good := bytesOf(words[2])
		seconds, err := strconv.ParseInt(words[3], 10, 32)
		if !ok || !good || err != nil || seconds < 0 {
			return "", "Error in hard, soft or soft_seconds setting in buffer limit configuration."
		}
		classes[at] = class + " " + bytesText(hard) + " " + bytesText(soft) + " " + strconv.FormatInt(seconds, 10)
	}
	return strings.Join(classes, "\n"), ""
}

// scores reads three values for the kernel's choice when memory ends.
func scores(words []string) (string, refusal) {
	if len(words) != 3 {
		return "", "wrong number of arguments"
	}
	texts := make([]string, len(words))
	for i, w := range words {
		n, err := strconv.ParseInt(w, 10, 64)
		if err != nil || n < -2000 || n > 2000 {
			return "", "Invalid oom-score-adj-values, elements must be between -2000 and 2000."
		}
		texts[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(texts, " "), ""
}

// masterText reads the master of a server, which Sentinel keeps though it has no use for it.
func masterText(words []string) (string, refusal) {
	if len(words) != 2 {
		return "", "wrong number of arguments"
	}
	if strings.EqualFold(words[0], "no") && strings.EqualFold(words[1], "one") {
		return "", ""
	}
	port, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil || port < 0 || port > 65535 {
		return "", "Invalid master port"
	}
	return phrase([]string{words[0], strconv.FormatInt(port, 10)}), ""
}

// eventFlags reads the classes of events that a server would publish, each a letter, and writes them in Redis' order.
func eventFlags(word string) (string, refusal) {
	const all, every = "g$lshzxetd", "g$lshzxetdnKEm"
	have := make(map[rune]bool)
	for _, c := range word {
		switch {
		case c == 'A':
			for _, c := range all {
				have[c] = true
			}
		case strings.ContainsRune(every, c):
			have[c] = true
		default:
			return "", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."
		}
	}
	missing := strings.ContainsFunc(all, func(c rune) bool { return !have[c] })
	text := ""
	for i, c := range every {
		if have[c] && (missing || i >= len(all)+1) {
			text += string(c)
		}
	}
	if !missing {
		text = "A" + text
	}
	return syntax.Quote(text), ""
}

// percentileText reads which percentiles a server would tell, of which Redis writes six decimals.
func percentileText(words []string) (string, refusal) {
	if len(words) == 0 || len(words) == 1 && words[0] == "" {
		return `""`, ""
	}
	texts := make([]string, len(words))
	for i, w := range words {
		n, err := strconv.ParseFloat(w, 64)
		if err != nil || math.IsNaN(n) {
			return "", "Invalid latency-tracking-info-percentiles parameters"
		}
		if n < 0 || n > 100 {
			return "", "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"
		}
		texts[i] = strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(n, 'f', 6, 64), "0"), ".")
	}
	return strings.Join(texts, " "), ""
}

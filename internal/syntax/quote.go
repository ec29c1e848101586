package syntax

const digits = "0123456789abcdef"

// Quote puts a word into double quotes, with the escapes that Split reads, as Redis does where it quotes at all.
func Quote(word string) string { return string(AppendQuoted(make([]byte, 0, len(word)+2), word)) }

// AppendQuoted is Quote for a line that is being made.
func AppendQuoted(b []byte, word string) []byte {
	b = append(b, '"')
	for i := 0; i < len(word); i++ {
		switch c := word[i]; {
		case c == '\\' || c == '"':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		case c == '\a':
			b = append(b, '\\', 'a')
		case c == '\b':
			b = append(b, '\\', 'b')
		case c < ' ' || c > '~':
			b = append(b, '\\', 'x', digits[c>>4], digits[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// AppendWord appends a word as it is, and in quotes only where Split would else read it as another or as several.
// redis-sentinel writes most words without looking, and then refuses its own file.
func AppendWord(b []byte, word string) []byte {
	for i := range len(word) {
		if c := word[i]; IsSpace(c) || c == '"' || c == '\'' || c == 0 {
			return AppendQuoted(b, word)
		}
	}
	if word == "" {
		return append(b, '"', '"')
	}
	return append(b, word...)
}

// Word is a word as AppendWord prints it.
func Word(word string) string { return string(AppendWord(nil, word)) }

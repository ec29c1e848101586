package sentinelconf

const digits = "0123456789abcdef"

// quote writes a word in double quotes, as Redis does where it quotes at all.
func quote(word string) string { return string(appendQuoted(make([]byte, 0, len(word)+2), word)) }

// appendQuoted is quote for a line that is being made.
func appendQuoted(b []byte, word string) []byte {
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

// appendWord writes a word as it is, and in quotes only where it would else be read as another or as several. redis-sentinel
// writes most words without looking, and then refuses its own file.
func appendWord(b []byte, word string) []byte {
	for i := 0; i < len(word); i++ {
		if c := word[i]; c <= ' ' || c == '"' || c == '\'' {
			return appendQuoted(b, word)
		}
	}
	if word == "" {
		return append(b, '"', '"')
	}
	return append(b, word...)
}

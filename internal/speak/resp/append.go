package resp

import "strconv"

// AppendCommand appends a request in its array form.
func AppendCommand(dst []byte, args ...string) []byte {
	dst = AppendArray(dst, len(args))
	for _, a := range args {
		dst = AppendBulk(dst, a)
	}
	return dst
}

// AppendSimple appends a status such as OK. Line ends within it become spaces, since they would end the value.
func AppendSimple(dst []byte, text string) []byte { return appendLine(dst, Simple, text) }

// AppendError appends an error reply, "CODE text". Line ends within it become spaces.
func AppendError(dst []byte, text string) []byte { return appendLine(dst, Error, text) }

// AppendInt appends an integer.
func AppendInt(dst []byte, n int64) []byte { return appendNumber(dst, Integer, n) }

// AppendBulk appends a bulk string; every byte may be in it.
func AppendBulk(dst []byte, text string) []byte { return appendText(dst, Bulk, "", text) }

// AppendBulkBytes appends a bulk string.
func AppendBulkBytes(dst, text []byte) []byte {
	dst = appendNumber(dst, Bulk, int64(len(text)))
	dst = append(dst, text...)
	return append(dst, "\r\n"...)
}

// AppendVerbatim appends a RESP3 verbatim string of plain text.
func AppendVerbatim(dst []byte, text string) []byte { return appendText(dst, Verbatim, "txt:", text) }

// AppendNilBulk appends RESP2's nil for a missing string.
func AppendNilBulk(dst []byte) []byte { return append(dst, "$-1\r\n"...) }

// AppendNilArray appends RESP2's nil for a missing array.
func AppendNilArray(dst []byte) []byte { return append(dst, "*-1\r\n"...) }

// AppendNull appends RESP3's nil.
func AppendNull(dst []byte) []byte { return append(dst, "_\r\n"...) }

// AppendArray appends the head of an array; its n elements must follow.
func AppendArray(dst []byte, n int) []byte { return appendNumber(dst, Array, int64(n)) }

// AppendSet appends the head of a RESP3 set; its n elements must follow.
func AppendSet(dst []byte, n int) []byte { return appendNumber(dst, Set, int64(n)) }

// AppendMap appends the head of a RESP3 map; n keys with their values must follow.
func AppendMap(dst []byte, n int) []byte { return appendNumber(dst, Map, int64(n)) }

// AppendPush appends the head of a RESP3 push; its n elements must follow.
func AppendPush(dst []byte, n int) []byte { return appendNumber(dst, Push, int64(n)) }

// AppendBool appends a RESP3 truth value.
func AppendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, "#t\r\n"...)
	}
	return append(dst, "#f\r\n"...)
}

// AppendDouble appends a RESP3 floating point number.
func AppendDouble(dst []byte, f float64) []byte {
	dst = append(dst, byte(Double))
	switch text := strconv.FormatFloat(f, 'g', 17, 64); text {
	case "+Inf":
		dst = append(dst, "inf"...)
	case "-Inf":
		dst = append(dst, "-inf"...)
	case "NaN":
		dst = append(dst, "nan"...)
	default:
		dst = append(dst, text...)
	}
	return append(dst, "\r\n"...)
}

// AppendValue appends v as Read would return it.
func AppendValue(dst []byte, v Value) []byte {
	switch v.Kind {
	case Integer:
		return AppendInt(dst, v.Int)
	case Null:
		return AppendNull(dst)
	case Bool:
		return AppendBool(dst, v.Int != 0)
	case Verbatim:
		return AppendVerbatim(dst, v.Text)
	case Bulk, BulkError:
		if v.Nil {
			return AppendNilBulk(dst)
		}
		return appendText(dst, v.Kind, "", v.Text)
	case Array, Set, Push, Map:
		return appendAggregate(dst, v)
	default:
		return appendLine(dst, v.Kind, v.Text)
	}
}

func appendAggregate(dst []byte, v Value) []byte {
	if v.Nil {
		return AppendNilArray(dst)
	}
	n := len(v.Elems)
	if v.Kind == Map {
		n /= 2
	}
	dst = appendNumber(dst, v.Kind, int64(n))
	for _, e := range v.Elems {
		dst = AppendValue(dst, e)
	}
	return dst
}

func appendLine(dst []byte, kind Kind, text string) []byte {
	dst = append(dst, byte(kind))
	start := len(dst)
	dst = append(dst, text...)
	for i := start; i < len(dst); i++ {
		if dst[i] == '\r' || dst[i] == '\n' {
			dst[i] = ' '
		}
	}
	return append(dst, "\r\n"...)
}

func appendText(dst []byte, kind Kind, format, text string) []byte {
	dst = appendNumber(dst, kind, int64(len(format)+len(text)))
	dst = append(dst, format...)
	dst = append(dst, text...)
	return append(dst, "\r\n"...)
}

func appendNumber(dst []byte, kind Kind, n int64) []byte {
	dst = append(dst, byte(kind))
	dst = strconv.AppendInt(dst, n, 10)
	return append(dst, "\r\n"...)
}

package acl

import (
	"encoding/hex"
	"strconv"
)

// The bits of a password that ACL GENPASS makes.
const (
	defaultBits = 256
	maxBits     = 4096
)

// GenPass answers ACL GENPASS, with the one argument that it may have: how many bits, told in whole hexadecimal digits. random fills
// the bytes it is given with ones that nobody can guess.
func GenPass(random func([]byte), bits ...string) (string, error) {
	n := int64(defaultBits)
	if len(bits) > 0 {
		var err error
		if n, err = strconv.ParseInt(bits[0], 10, 64); err != nil || strconv.FormatInt(n, 10) != bits[0] {
			return "", Refusal("ERR value is not an integer or out of range")
		}
		if n < 1 || n > maxBits {
			return "", Refusal("ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096")
		}
	}
	b := make([]byte, (n+7)/8)
	random(b)
	return hex.EncodeToString(b)[:(n+3)/4], nil
}

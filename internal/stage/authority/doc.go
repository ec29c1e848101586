// Package authority makes certificates for servers and clients of a test: an authority, and what it signs, as files in PEM form.
//
// It is no tool for real ones: keys lie where the caller says, nothing is ever revoked, and a certificate is valid for a day.
//
// Tests and the stage use it, from whichever goroutine they are on. The files are as crypto/tls, Redis and openssl read them.
package authority

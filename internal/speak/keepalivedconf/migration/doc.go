// Package migration makes a redkeep.yaml of the keepalived.conf files of a site, and says what became of each of their lines.
//
// It checks the result only as far as it must to write it: whoever calls Make has `redkeep check`'s reader look at it, whose
// rules it does not repeat. It opens no file and runs no script: what these are called with, and what their text names, serve as
// hints for the server's port and for questions, and a password in them is asked for and never repeated. `redkeep import` calls it from
// the command's goroutine. What Redkeep needs is said in redkeep.yaml(5); what keepalived's lines mean, in keepalived.conf(5).
package migration

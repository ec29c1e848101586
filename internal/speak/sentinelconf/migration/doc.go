// Package migration makes a redkeep.yaml of the sentinel.conf files of a site, and says what became of each of their lines.
//
// It checks the result only as far as it must to write it: whoever calls Make has `redkeep check`'s reader look at it, whose
// rules it does not repeat. It opens no file; what it can't know from the files it is told in Answers, or it writes EDIT and
// asks. `redkeep import` calls it from the command's goroutine. What Redkeep needs and what it has no use for is said in
// redkeep.yaml(5); what Sentinel's lines mean, in its own documentation.
package migration

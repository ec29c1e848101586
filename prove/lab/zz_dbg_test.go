package lab
import ("testing";"time";"redkeep/internal/stage/clock";"redkeep/internal/stage/writer")
func TestZZ(t *testing.T){ s:=newSite(t,Plan{}); w:=s.write(); m:=s.awaitReady(10*time.Second); time.Sleep(300*time.Millisecond)
 at,_:=s.redis[m].Kill(); t.Log("killed",m,time.Now().UTC().Format("15:04:05.000000")); s.awaitMaster(5*time.Second); time.Sleep(300*time.Millisecond)
 g:=writer.Longest(w.Writes(),at,clock.Now()); t.Log(g.Length(), "from kill to last ack before", (g.From-at)); w.Stop(); t.Fail() }

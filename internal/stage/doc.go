// Package stage makes hosts as network namespaces of this machine, runs real servers in them, and breaks them on request.
//
// It decides nothing about roles and judges nothing: it is the world in which the demo and the lab put agents, and the
// clients that write down what they were told. It has no simulated part, and it never touches the machine's own network.
//
// The demo and the lab call it, from any goroutine; calls that change one host are taken one after another. Each host
// owns a locked thread, from which its programs are started; each program a goroutine that waits for its end. Stage.Close
// ends them all, and the kernel does when this process dies: programs get SIGKILL with their host's thread.
//
// The faults are those of the lab's matrix. Requirements are a kernel with network namespaces,
// veth, bridge and nf_tables; as an ordinary user also user namespaces, see Enter.
package stage

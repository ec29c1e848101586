package decide

// Ticket names one action that must be finished before what depends on it may start. The hand that carried the action
// out answers with Done or Ordered and the same ticket. Tickets are never used twice by one machine; 0 is no ticket.
type Ticket uint64

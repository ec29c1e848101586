// The program goredis is an application on go-redis and its failover client.
//
// Usage: goredis GROUP KEY SENTINEL:PORT...
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

func main() {
	group, key := os.Args[1], os.Args[2]
	// The pool is told where the master is, and the application is not: it remembers which server it was last connected to.
	var master atomic.Value
	client := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName:    group,
		SentinelAddrs: os.Args[3:],
		DialTimeout:   time.Second,
		ReadTimeout:   time.Second,
		PoolSize:      1,
		OnConnect: func(ctx context.Context, conn *redis.Conn) error {
			info, err := conn.ClientInfo(ctx).Result()
			if err == nil {
				master.Store(info.LAddr)
			}
			return err
		},
	})
	defer client.Close()
	for n := 1; ; time.Sleep(5 * time.Millisecond) {
		err := client.SAdd(context.Background(), key, n).Err()
		if err != nil {
			fmt.Println("oops", n, err)
			continue
		}
		at, _ := master.Load().(string)
		if _, _, err := net.SplitHostPort(at); err != nil {
			fmt.Println("oops", n, "no address:", err)
			continue
		}
		fmt.Println("ack", n, time.Now().UnixMilli(), at)
		n++
	}
}

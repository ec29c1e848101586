"""An application on redis-py: a pool of connections that asks the Sentinels whenever it connects.

Usage: redispy.py GROUP KEY SENTINEL:PORT...
"""

import sys
import time

from redis.exceptions import RedisError
from redis.sentinel import Sentinel


def main(group, key, *sentinels):
    asked = [(at.split(":")[0], int(at.split(":")[1])) for at in sentinels]
    client = Sentinel(asked, socket_timeout=0.5).master_for(group, socket_timeout=1)
    n = 1
    while True:
        try:
            client.sadd(key, n)
            host, port = client.connection_pool.master_address
            print("ack", n, time.time_ns() // 1_000_000, f"{host}:{port}", flush=True)
            n += 1
        except RedisError as err:
            print("oops", n, err, flush=True)
        time.sleep(0.005)


main(*sys.argv[1:])

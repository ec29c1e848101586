<?php
// An application on phpredis: the extension has a client for Sentinels and one for servers, and what connects the two is
// the application's own, as in most of them: ask the Sentinels one after another, connect, and start over after an error.
// Usage: phpredis.php GROUP KEY SENTINEL:PORT...

[, $group, $key] = $argv;
$sentinels = array_slice($argv, 3);

function sentinel(string $host, int $port): RedisSentinel
{
    if (version_compare(phpversion('redis'), '6.0', '>=')) {
        return new RedisSentinel(['host' => $host, 'port' => $port, 'connectTimeout' => 0.5, 'readTimeout' => 0.5]);
    }
    return new RedisSentinel($host, $port, 0.5, null, 0, 0.5);
}

function master(array $sentinels, string $group): array
{
    foreach ($sentinels as $at) {
        [$host, $port] = explode(':', $at);
        try {
            $address = sentinel($host, (int) $port)->getMasterAddrByName($group);
            if ($address) {
                return $address;
            }
        } catch (RedisException $e) {
            echo 'oops ', $at, ' ', $e->getMessage(), "\n";
        }
    }
    throw new RedisException('no Sentinel knows the master');
}

$client = null;
for ($n = 1;; usleep(5000)) {
    try {
        if ($client === null) {
            [$host, $port] = master($sentinels, $group);
            $client = new Redis();
            $client->connect($host, (int) $port, 1.0, null, 0, 1.0);
        }
        if ($client->sAdd($key, $n) === false) {
            throw new RedisException($client->getLastError() ?? 'no answer');
        }
        echo "ack $n ", (int) (microtime(true) * 1000), " $host:$port\n";
        $n++;
    } catch (RedisException $e) {
        echo "oops $n ", $e->getMessage(), "\n";
        $client = null;
    }
}

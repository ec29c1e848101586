<?php
// An application on Predis with its replication by Sentinel, which asks again and tries again by itself.
// Usage: predis.php GROUP KEY SENTINEL:PORT...

require 'Predis/Autoloader.php';
Predis\Autoloader::register();

[, $group, $key] = $argv;
$sentinels = array_map(fn ($at) => "tcp://$at?timeout=0.5", array_slice($argv, 3));
$client = new Predis\Client($sentinels, [
    'replication' => 'sentinel',
    'service' => $group,
    'parameters' => ['timeout' => 1.0, 'read_write_timeout' => 1.0],
]);
$client->getConnection()->setRetryWait(100);

for ($n = 1;; usleep(5000)) {
    try {
        $client->sadd($key, [$n]);
        echo "ack $n ", (int) (microtime(true) * 1000), ' ', $client->getConnection()->getMaster(), "\n";
        $n++;
    } catch (Predis\PredisException $e) {
        // A server that was demoted says READONLY, and Predis takes that for an answer like any other.
        echo "oops $n ", $e->getMessage(), "\n";
        $client->disconnect();
    }
}

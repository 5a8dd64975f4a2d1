#!/bin/sh
# Makes the volumes of docker-compose.yml ready, as root; what is there already stays.
set -e
keys=/run/databridge/keys
if [ ! -s $keys ]; then
  umask 077
  node /app/services/cli/src/main.ts keys generate --name local >$keys.new
  mv $keys.new $keys
  echo "made a key ring: $keys"
fi
chown node:node $keys
chmod 0400 $keys
# The registry's image has a user of its own.
chmod 0777 /data

#!/bin/sh
# Makes the volumes of docker-compose.yml ready, as root; files that are there already stay.
set -e
umask 077
keys=/run/databridge-keys
cd /run/databridge

# An earlier version kept all of them in the one volume that delivery workers mount.
for file in api-tokens operator-token databridge; do
  if [ -e "$keys/$file" ] && [ ! -e "$file" ]; then cp -a "$keys/$file" .; fi
  rm -rf "${keys:?}/$file"
done

if [ ! -s $keys/keys ]; then
  databridge keys generate --name local >$keys/keys.new
  mv $keys/keys.new $keys/keys
  echo "made a key ring: $keys/keys"
fi

# The token is for its owner; its hash, the second line on standard error, is for the control plane. The hash is renamed
# last: without it, both are made anew.
if [ ! -s api-tokens ]; then
  databridge tokens generate --name operator --role operator >operator-token 2>said
  mkdir -p databridge
  printf '{"url":"http://control-plane:8090","token":"%s"}\n' "$(cat operator-token)" >databridge/credentials.json
  sed -n 2p said >api-tokens.new
  rm said
  mv api-tokens.new api-tokens
  echo 'made a token for the API: /run/databridge/operator-token'
fi

chown -R node:node $keys/keys api-tokens operator-token databridge
chmod 0400 $keys/keys api-tokens operator-token databridge/credentials.json
chmod 0500 databridge
# The registry's image has a user of its own.
chmod 0777 /data

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

# What opens secrets is for delivery workers; what seals them, for the control plane, in its own volume.
if [ ! -s control-plane.keys ]; then
  rm -rf /tmp/keys
  databridge keys generate --name "local-$(date +%Y%m%d)" --directory /tmp/keys
  # An earlier version sealed under the key of this file: workers open that, too.
  if [ -s $keys/keys ]; then cat $keys/keys >>/tmp/keys/delivery.keys; fi
  cp /tmp/keys/delivery.keys $keys/delivery.keys
  rm -f $keys/keys
  cp /tmp/keys/control-plane.keys control-plane.keys.new
  mv control-plane.keys.new control-plane.keys
  rm -rf /tmp/keys
fi

# The token is for its owner; its hash, the second line on standard error, is for the control plane. The hash is renamed
# last: without it, both are generated again.
if [ ! -s api-tokens ]; then
  databridge tokens generate --name operator --role operator >operator-token 2>said
  mkdir -p databridge
  printf '{"url":"http://control-plane:8090","token":"%s"}\n' "$(cat operator-token)" >databridge/credentials.json
  sed -n 2p said >api-tokens.new
  rm said
  mv api-tokens.new api-tokens
  echo 'made a token for the API: /run/databridge/operator-token'
fi

chown -R node:node $keys/delivery.keys control-plane.keys api-tokens operator-token databridge
chmod 0400 $keys/delivery.keys control-plane.keys api-tokens operator-token databridge/credentials.json
chmod 0500 databridge
# The registry's image has a user of its own.
chmod 0777 /data

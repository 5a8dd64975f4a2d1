#!/bin/sh
# Makes the volumes of docker-compose.yml ready, as root; what is there already stays.
set -e
umask 077
cd /run/databridge

if [ ! -s keys ]; then
  databridge keys generate --name local >keys.new
  mv keys.new keys
  echo 'made a key ring: /run/databridge/keys'
fi

# The token for its owner; its hash, in the second line of what is said beside it, for the control plane. The hash is
# the last to get its name: without it, all is made anew.
if [ ! -s api-tokens ]; then
  databridge tokens generate --name operator --role operator >operator-token 2>said
  mkdir -p databridge
  printf '{"url":"http://control-plane:8090","token":"%s"}\n' "$(cat operator-token)" >databridge/credentials.json
  sed -n 2p said >api-tokens.new
  rm said
  mv api-tokens.new api-tokens
  echo 'made a token for the API: /run/databridge/operator-token'
fi

chown -R node:node keys api-tokens operator-token databridge
chmod 0400 keys api-tokens operator-token databridge/credentials.json
chmod 0500 databridge
# The registry's image has a user of its own.
chmod 0777 /data

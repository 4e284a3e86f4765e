#!/bin/sh
# Usage: read-only.sh FOLDER COMMAND [ARGUMENT...]
# Makes FOLDER read-only for COMMAND alone. Runs in a mount namespace of its own, so nobody else sees the change.
set -eu
folder=$1
shift
mount --bind "$folder" "$folder"
mount -o remount,bind,ro "$folder"
# The working folder still is the one below the mount.
cd "$folder"
exec "$@"

#!/bin/sh
# Usage: read-only.sh FOLDER COMMAND [ARGUMENT...]
# Makes FOLDER read-only for COMMAND alone, which gets with-environment.sh on its standard input. Runs in a mount namespace of its own, so
# nobody else sees the change.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
folder=$1
shift
mount --bind "$folder" "$folder"
mount -o remount,bind,ro "$folder"
# The working folder still is the one below the mount.
cd "$folder"
exec "$@" <"${0%/*}/with-environment.sh"

#!/bin/sh
# Usage: with-secrets.sh FOLDER NAME... -- COMMAND [ARGUMENT...]
# Makes variables of the files FOLDER/NAME and becomes COMMAND. Needs nothing but a shell: values go through no program and no argument list.
set -eu
folder=$1
shift
while [ "$1" != "--" ]; do
  value=
  while IFS= read -r line; do
    value="$value$line
"
  done <"$folder/$1"
  # What stands after the last line break; `read` has it when it fails at the end of the file.
  value="$value${line-}"
  export "$1=$value"
  shift
done
shift
exec "$@"

# Usage: sh -s -- COMMAND [ARGUMENT...], with this file on standard input.
# Becomes COMMAND in the application's environment: HELIX_APP names its variables, and each NAME stands in HELIX_APP_NAME. Until here none of
# them had a meaning to any program, so none could make a program that runs as root do something else.
set -eu
unset PWD OLDPWD
for helix_name in ${HELIX_APP-}; do
  # The supervisor lets through no name but letters, digits and "_".
  eval "helix_value=\$HELIX_APP_$helix_name"
  unset "HELIX_APP_$helix_name"
  # What a shell does not let go of (UID in some) is no reason not to start.
  command export "$helix_name=$helix_value" 2>/dev/null || :
done
unset HELIX_APP helix_name helix_value
exec "$@" </dev/null

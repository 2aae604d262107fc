#!/bin/sh
# /usr/local/bin/wuwei: the commands of the installation that deploy/wuwei.service runs, as its user and on its data.
set -eu
program=/opt/wuwei/.venv/bin/wuwei
case "${1:-}" in
    nlp | demo | bench | "" | -*) exec "$program" "$@" ;;
esac
run_as=
[ "$(id -un)" = wuwei ] || run_as="sudo -u wuwei"
exec $run_as env WUWEI_DATA_FOLDER=/var/lib/wuwei WUWEI_SECRETS_FOLDER=/etc/wuwei PYTHONDONTWRITEBYTECODE=1 \
    "$program" "$@" --config /etc/wuwei/config.toml

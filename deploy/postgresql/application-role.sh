#!/bin/sh
# Runs once in the container of PostgreSQL, when its database is created: the role of pages
# and workers. `migrate` connects as the owner and grants its privileges.
set -eu
psql --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" \
    --set=password="$(cat /run/secrets/database_password)" <<'SQL'
CREATE ROLE notifier LOGIN PASSWORD :'password';
SQL

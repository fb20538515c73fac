#!/bin/sh
# What `docker compose up` of Reprise needs once, beforehand: ./secrets, which compose hands to the containers as files, and ./.env, which says how the
# provisioner reaches the engine. What is there already stays as it is. Needs openssl.
set -eu
cd "$(dirname "$0")/../.."
secrets=${REPRISE_SECRETS:-secrets}

command -v openssl >/dev/null || { echo 'prepare.sh: openssl is needed to make keys and passwords' >&2; exit 1; }

# The folder is closed to everybody else; the files are not, because in the containers they belong to somebody else.
mkdir -p "$secrets"
chmod 700 "$secrets"
umask 022

# put NAME: writes standard input, whole or not at all, unless it is there.
put() {
  if [ -s "$secrets/$1" ]; then cat > /dev/null; return; fi
  cat > "$secrets/$1.new" && mv "$secrets/$1.new" "$secrets/$1"
}
password() { openssl rand -hex 24; }

for name in postgres_password rabbitmq_password pod_token_secret secrets_key grafana_password; do password | put "$name"; done
for name in lifecycle provisioner billing deadletters; do
  password | put "${name}_database_password"
  echo "postgres://reprise_$name:$(cat "$secrets/${name}_database_password")@postgres:5432/reprise" | put "${name}_database_url"
done
for name in gateway lifecycle provisioner billing deadletters publisher; do
  password | put "${name}_amqp_password"
  echo "amqp://reprise_$name:$(cat "$secrets/${name}_amqp_password")@rabbitmq:5672/reprise" | put "${name}_amqp_url"
done

printf 'default_user = reprise_admin\ndefault_pass = %s\n' "$(cat "$secrets/rabbitmq_password")" | put rabbitmq.conf

# The pair that signs tokens to try it with. Where tokens come from an issuer of your own, set JWT_JWKS_URI, and throw these away.
if [ ! -s "$secrets/jwt_private_key.pem" ]; then
  openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 2>/dev/null | put jwt_private_key.pem
  rm -f "$secrets/jwt_public_key.pem"
fi
openssl pkey -in "$secrets/jwt_private_key.pem" -pubout | put jwt_public_key.pem

# For the `reprise` command, which is the administrator's.
{
  echo "DATABASE_URL=postgres://reprise_admin:$(cat "$secrets/postgres_password")@postgres:5432/reprise"
  echo "AMQP_URL=amqp://reprise_admin:$(cat "$secrets/rabbitmq_password")@rabbitmq:5672"
  echo "RABBITMQ_MANAGEMENT_URL=http://reprise_admin:$(cat "$secrets/rabbitmq_password")@rabbitmq:15672"
  for name in lifecycle provisioner billing deadletters; do
    echo "$(echo "$name" | tr '[:lower:]' '[:upper:]')_DB_PASSWORD=$(cat "$secrets/${name}_database_password")"
  done
  for name in gateway lifecycle provisioner billing deadletters publisher; do
    echo "$(echo "$name" | tr '[:lower:]' '[:upper:]')_AMQP_PASSWORD=$(cat "$secrets/${name}_amqp_password")"
  done
} | put admin.env

# The engine that the provisioner makes pods on: the one that answers here.
if [ ! -e .env ] && [ -z "${REPRISE_SECRETS:-}" ]; then
  socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
  case $socket in
    unix://*) socket=${socket#unix://} ;;
    *) echo "prepare.sh: DOCKER_HOST must be a unix socket that can be mounted into the provisioner; it is $socket" >&2; exit 1 ;;
  esac
  [ -S "$socket" ] || { echo "prepare.sh: there is no engine's socket $socket; start Docker, or set DOCKER_HOST" >&2; exit 1; }
  printf 'DOCKER_SOCKET=%s\nDOCKER_GID=%s\n' "$socket" "$(stat -c %g "$socket")" > .env
fi
echo "Secrets are in $secrets/. Keep them: the databases are made with these passwords."

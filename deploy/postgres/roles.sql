-- Who may touch what in PostgreSQL: each service has a role of its own, and a schema of its own that no other service's role can see into.
-- Applied by `reprise setup`, and as well by psql (as a superuser, or as a role with CREATEROLE that may create schemas in the database):
--
--   psql "$DATABASE_URL" -v ON_ERROR_STOP=1 \
--        -v lifecycle_password=… -v provisioner_password=… -v billing_password=… \
--        -v deadletters_password=… -f deploy/postgres/roles.sql
--
-- Applying it again changes nothing but the passwords, and owners that are wrong: after a restore by someone else. Tables are each service's own
-- business: its migrations make them.

DO $$
DECLARE
  service text;
BEGIN
  FOREACH service IN ARRAY ARRAY['reprise_lifecycle', 'reprise_provisioner', 'reprise_billing', 'reprise_deadletters'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = service) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', service);
    END IF;
    -- Only a member of a role may make a schema for it; a superuser need not be one.
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
      EXECUTE format('GRANT %I TO CURRENT_USER', service);
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), service);
  END LOOP;
END
$$;

ALTER ROLE reprise_lifecycle LOGIN PASSWORD :'lifecycle_password';
ALTER ROLE reprise_provisioner LOGIN PASSWORD :'provisioner_password';
ALTER ROLE reprise_billing LOGIN PASSWORD :'billing_password';
ALTER ROLE reprise_deadletters LOGIN PASSWORD :'deadletters_password';

CREATE SCHEMA IF NOT EXISTS lifecycle AUTHORIZATION reprise_lifecycle;
CREATE SCHEMA IF NOT EXISTS provisioner AUTHORIZATION reprise_provisioner;
CREATE SCHEMA IF NOT EXISTS billing AUTHORIZATION reprise_billing;
CREATE SCHEMA IF NOT EXISTS deadletters AUTHORIZATION reprise_deadletters;

-- A dump that was restored without owners belongs to whoever restored it. The schema goes first: whoever is to own what is in it must be allowed to
-- create there. A sequence of a column goes with its table.
DO $$
DECLARE
  service text;
  mending text;
BEGIN
  FOREACH service IN ARRAY ARRAY['lifecycle', 'provisioner', 'billing', 'deadletters'] LOOP
    FOR mending IN
      SELECT format('SCHEMA %I', nspname) FROM pg_namespace
       WHERE nspname = service AND nspowner <> ('reprise_' || service)::regrole
      UNION ALL
      SELECT format('%s %I.%I', CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
                    service, relname)
        FROM pg_class c
       WHERE relnamespace = service::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S') AND relowner <> ('reprise_' || service)::regrole
         AND NOT EXISTS (SELECT FROM pg_depend d
                          WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND relkind = 'S' AND d.deptype IN ('a', 'i'))
      UNION ALL
      SELECT format('ROUTINE %s', oid::regprocedure) FROM pg_proc
       WHERE pronamespace = service::regnamespace AND proowner <> ('reprise_' || service)::regrole
    LOOP
      EXECUTE format('ALTER %s OWNER TO %I', mending, 'reprise_' || service);
    END LOOP;
  END LOOP;
END
$$;

-- Nothing of Reprise stands in the public schema, and nothing should begin to. (Where it belongs to someone else, this only warns.)
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON SCHEMA lifecycle, provisioner, billing, deadletters FROM PUBLIC;

ALTER ROLE reprise_lifecycle SET search_path = lifecycle;
ALTER ROLE reprise_provisioner SET search_path = provisioner;
ALTER ROLE reprise_billing SET search_path = billing;
ALTER ROLE reprise_deadletters SET search_path = deadletters;

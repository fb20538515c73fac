import type { ProviderView } from '@reprise/contracts';
import type { ProviderEntity } from './provider.entity';

/** A provider as the REST contract shows it. */
export function providerView({ org_id: _org, created_at, updated_at, archived_at, ...rest }: ProviderEntity): ProviderView {
  return {
    ...rest,
    created_at: created_at.toISOString(),
    updated_at: updated_at.toISOString(),
    archived_at: archived_at?.toISOString() ?? null,
  };
}

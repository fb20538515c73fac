import type { ProviderSummary, ProviderView } from '@reprise/contracts';
import { masked } from '../roles/role.view';
import type { ProviderEntity } from './provider.entity';
import type { ListedProvider } from './providers.repository';

/** A provider as the REST contract shows it; the values of its `config` to whoever may change them. */
export function providerView({ config, ...row }: ProviderEntity, { values }: { values: boolean }): ProviderView {
  return { ...providerSummary(row), config: values ? config : masked(config) };
}

/** The same in a list. */
export function providerSummary({ org_id: _org, created_at, updated_at, archived_at, ...rest }: ListedProvider): ProviderSummary {
  return {
    ...rest,
    created_at: created_at.toISOString(),
    updated_at: updated_at.toISOString(),
    archived_at: archived_at?.toISOString() ?? null,
  };
}

import type { ProviderView } from '@reprise/contracts';
import { masked } from '../roles/role.view';
import type { ProviderEntity } from './provider.entity';

/** A provider as the REST contract shows it; the values of its `config` to whoever may change them. */
export function providerView(
  { org_id: _org, config, created_at, updated_at, archived_at, ...rest }: ProviderEntity,
  { values }: { values: boolean },
): ProviderView {
  return {
    ...rest,
    config: values ? config : masked(config),
    created_at: created_at.toISOString(),
    updated_at: updated_at.toISOString(),
    archived_at: archived_at?.toISOString() ?? null,
  };
}

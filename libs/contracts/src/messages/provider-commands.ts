import { IsIn, IsObject, IsOptional, IsString, Matches } from 'class-validator';
import { PROVIDER_KINDS, ProviderKind } from '../vocabulary';
import { EXAMPLE, LifecycleCommand } from './message';
import { CONFIG_SIZE, FitsVariable, IsJsonMap, Length, SLUG } from './rules';

/** Makes a provider. Its `config` is given to pods as it is: it is no place for secrets. */
export class CreateProvider extends LifecycleCommand {
  static readonly type = 'reprise.provider.create.v1';
  static readonly kind = 'command';
  static readonly consumer = 'lifecycle';
  static readonly example = { name: 'claude', kind: 'anthropic', config: { model: 'claude' }, caller: EXAMPLE.caller };

  @Matches(SLUG, {
    message: 'name must be a slug: 1 to 63 lower-case letters, digits and hyphens, starting and ending with a letter or digit',
  })
  name!: string;

  @IsIn(PROVIDER_KINDS)
  kind!: ProviderKind;

  @IsOptional()
  @IsObject()
  @IsJsonMap(CONFIG_SIZE)
  @FitsVariable()
  config?: Record<string, unknown>;
}

/** Changes a provider: only the fields that are given. Raises the version of its roles: their pods are stale. */
export class ChangeProvider extends LifecycleCommand {
  static readonly type = 'reprise.provider.change.v1';
  static readonly kind = 'command';
  static readonly consumer = 'lifecycle';
  static readonly example = { provider_id: EXAMPLE.provider, config: { model: 'claude-next' }, caller: EXAMPLE.caller };

  @IsString()
  @Length(1, 64)
  provider_id!: string;

  @IsOptional()
  @Matches(SLUG, {
    message: 'name must be a slug: 1 to 63 lower-case letters, digits and hyphens, starting and ending with a letter or digit',
  })
  name?: string;

  @IsOptional()
  @IsIn(PROVIDER_KINDS)
  kind?: ProviderKind;

  @IsOptional()
  @IsObject()
  @IsJsonMap(CONFIG_SIZE)
  @FitsVariable()
  config?: Record<string, unknown>;
}

abstract class ProviderCommand extends LifecycleCommand {
  @IsString()
  @Length(1, 64)
  provider_id!: string;
}

/** Archives a provider and, with it, its roles; answers how many. Refused while a workspace of one of them runs. */
export class ArchiveProvider extends ProviderCommand {
  static readonly type = 'reprise.provider.archive.v1';
  static readonly kind = 'command';
  static readonly consumer = 'lifecycle';
  static readonly example = { provider_id: EXAMPLE.provider, caller: EXAMPLE.caller };
}

/** Takes an archived provider back; its roles stay archived. */
export class UnarchiveProvider extends ProviderCommand {
  static readonly type = 'reprise.provider.unarchive.v1';
  static readonly kind = 'command';
  static readonly consumer = 'lifecycle';
  static readonly example = { provider_id: EXAMPLE.provider, caller: EXAMPLE.caller };
}

export const PROVIDER_COMMANDS = [CreateProvider, ChangeProvider, ArchiveProvider, UnarchiveProvider] as const;

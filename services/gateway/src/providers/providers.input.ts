import { OmitType } from '@nestjs/swagger';
import { ChangeProvider, CreateProvider } from '@reprise/contracts';
import { Describes } from '../docs/describes.decorator';
import { PageQuery } from '../input/page.query';
import { QueryFlag } from '../input/query.decorators';

const FIELDS = {
  name: 'A slug, unique in the org.',
  kind: 'Whose models it offers.',
  config: 'Given to pods as it is: no place for secrets.',
};

@Describes<CreateProviderBody>(FIELDS, CreateProvider.example)
export class CreateProviderBody extends OmitType(CreateProvider, ['caller', 'idempotency'] as const) {}

@Describes<ChangeProviderBody>(FIELDS, ChangeProvider.example)
export class ChangeProviderBody extends OmitType(ChangeProvider, ['provider_id', 'caller', 'idempotency'] as const) {}

@Describes<ListProvidersQuery>({ include_archived: 'Whether archived ones are listed as well.' })
export class ListProvidersQuery extends PageQuery {
  @QueryFlag()
  include_archived = false;
}

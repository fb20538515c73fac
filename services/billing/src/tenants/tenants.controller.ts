import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { GetTenantPosture, GetTenantPostures, ListTenants, SetTenantPosture, type TenantView } from '@reprise/contracts';
import { MessageContext } from '@reprise/messaging';
import { TenantsService } from './tenants.service';

/** What billing is asked and told by messages. */
@Controller()
export class TenantsController {
  constructor(private readonly tenants: TenantsService) {}

  @MessagePattern(GetTenantPosture.type)
  posture(@Payload() query: GetTenantPosture): Promise<TenantView> {
    return this.tenants.posture(query.org_id);
  }

  @MessagePattern(GetTenantPostures.type)
  postures(@Payload() query: GetTenantPostures): Promise<{ tenants: TenantView[] }> {
    return this.tenants.postures(query.org_ids);
  }

  @MessagePattern(ListTenants.type)
  list(@Payload() query: ListTenants): Promise<{ tenants: TenantView[] }> {
    return this.tenants.list(query.limit);
  }

  @MessagePattern(SetTenantPosture.type)
  setPosture(@Payload() command: SetTenantPosture, @Ctx() message: MessageContext): Promise<TenantView | undefined> {
    return this.tenants.setPosture(command, message);
  }
}

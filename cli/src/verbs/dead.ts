import { Command } from 'commander';
import type { Terminal } from '../terminal';
import { deadDiscardVerb } from './dead/discard';
import { deadEditVerb } from './dead/edit';
import { deadGroupsVerb } from './dead/groups';
import { deadListVerb } from './dead/list';
import { deadReplayVerb } from './dead/replay';
import { deadShowVerb } from './dead/show';

/** `reprise dead …`: what could not be handled. */
export function deadVerb(terminal: Terminal): Command {
  const dead = new Command('dead').description('Messages that could not be handled: look at them, replay them, give them up.');
  for (const verb of [deadListVerb, deadGroupsVerb, deadShowVerb, deadReplayVerb, deadDiscardVerb, deadEditVerb])
    dead.addCommand(verb(terminal));
  return dead;
}

import { survivesEveryDeathIn } from './support/crashes';

survivesEveryDeathIn('salvage');

import { survivesEveryDeathIn } from './support/crashes';

survivesEveryDeathIn('create', 'replace', 'remove');

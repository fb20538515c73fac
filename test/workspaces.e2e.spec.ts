/** These leave the Reprise that they find as it was, so they share one: to start one takes longer than most of them. */
import './00-fresh-stack.scenario';
import './01-restart-carries-state.scenario';
import './02-restart-while-busy.scenario';
import './03-stop-and-resume.scenario';
import './04-archive.scenario';
import './06-scopes.scenario';
import './07-twenty-at-once.scenario';
import './19-secrets.scenario';
import './20-lost-pods.scenario';
import './21-isolation.scenario';
import './22-operators-stop.scenario';
import './25-order-of-checks.scenario';

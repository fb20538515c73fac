import { isName } from './names';
import { serviceRequester } from './requester';

describe('who asked, where a service did', () => {
  it('is the broker user, and behind it whom the service names', () => {
    expect(serviceRequester('reprise_publisher')).toBe('service:reprise_publisher');
    expect(serviceRequester('reprise_publisher', 'alice')).toBe('service:reprise_publisher/alice');
  });

  it.each(['', 'x'.repeat(256), 'a\nb', 'a\0b', '\u009b'])('is never %p', (actor) => expect(isName(actor)).toBe(false));
});

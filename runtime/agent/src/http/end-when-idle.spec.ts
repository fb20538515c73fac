import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { endWhenIdle } from './end-when-idle';

it('an agent that serves a dead pod ends once nobody has asked for long, and never while a request is under way', () => {
  jest.useFakeTimers();
  const server = new EventEmitter();
  const end = jest.fn();
  endWhenIdle(server as Server, 1_000, end);
  jest.advanceTimersByTime(900);
  const [first, second] = [new EventEmitter(), new EventEmitter()];
  server.emit('request', {}, first);
  server.emit('request', {}, second);
  jest.advanceTimersByTime(5_000);
  first.emit('close');
  jest.advanceTimersByTime(5_000);
  expect(end).not.toHaveBeenCalled();
  second.emit('close');
  jest.advanceTimersByTime(999);
  expect(end).not.toHaveBeenCalled();
  jest.advanceTimersByTime(1);
  expect(end).toHaveBeenCalledTimes(1);
  jest.useRealTimers();
});

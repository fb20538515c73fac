/** What a service with a database needs besides: apart from the rest, so that one without loads nothing of TypeORM. */
export { storeIn } from './module/store-providers';

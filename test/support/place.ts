/** Places of paths: the same object for the same path, as the walk of a tree makes them. */

import type { BytePath } from '../../src/model/byte-path.js';
import { type Place, placeIn, ROOT_PLACE } from '../../src/model/place.js';

const places = new Map<string, Place>([['', ROOT_PLACE]]);

export function placeOf(path: string): Place {
  const slash = path.lastIndexOf('/');
  const place =
    places.get(path) ?? placeIn(placeOf(path.slice(0, Math.max(slash, 0))), path.slice(slash + 1) as BytePath);
  places.set(path, place);
  return place;
}

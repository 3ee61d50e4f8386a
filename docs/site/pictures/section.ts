/** A picture in its page as it is without JavaScript: drawn with what it takes at first. */

import { draw } from './drawings.ts';
import { drawn, htmlOf } from './drawn.ts';
import { defaultsOf, PICTURES, type Picture, type PictureName } from './pictures.ts';

export async function pictureSection(name: PictureName): Promise<string> {
  const { title, about }: Picture = PICTURES[name];
  const picture = await draw(name, defaultsOf(name));
  const section = drawn(
    'section',
    { class: 'panel', 'data-panel': 'picture', 'data-picture': name },
    drawn('h2', {}, title),
    drawn('p', {}, about),
    drawn('noscript', {}, drawn('p', {}, 'With JavaScript you can change what is drawn.')),
    drawn('div', { class: 'picture' }, picture),
  );
  return `${htmlOf(section)}\n`;
}

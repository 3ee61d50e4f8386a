/** The word lists both kinds of message draw from. */

import type { WordLists } from './grammar.ts';

const list = (words: string) => words.split(', ');

export const WORDS: WordLists = {
  name: list(
    'Amy, Ben, Beth, Callum, Carla, Chris, Claire, Dan, Debs, Dev, Ellie, Emma, Farah, Fran, Gareth, Gemma, ' +
      'George, Hannah, Harry, Helen, Imran, Jack, Jamie, Jas, Jen, Jess, Joe, Josh, Karen, Kate, Kev, Laura, Leah, ' +
      'Lewis, Liz, Luke, Maya, Megan, Mike, Nadia, Naomi, Nick, Olly, Paul, Pete, Priya, Rachel, Rob, Ruth, Ryan, ' +
      'Sam, Sara, Sean, Shaz, Steph, Steve, Sunil, Tash, Tim, Tom, Vicky, Will, Zoe',
  ),
  relative: list(
    'mum, dad, my sister, my brother, gran, grandad, my aunt, my uncle, my cousin, the kids, my nan, my step dad',
  ),
  pet: list('love, babe, hun, sweetie, darling, gorgeous, honey, my dear, sweetheart'),
  mate: list('mate, dude, man, buddy, pal, bro, you, stranger, lovely'),
  day: list(
    'Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday, Mon, Tues, Weds, Thurs, Fri, Sat, Sun',
  ),
  when: list(
    'tonight, tomorrow, later, this evening, this afternoon, at lunch, after work, next week, on {day}, ' +
      'on {day} night, {day} morning, at the weekend, in a bit, around {hour}, at {hour}, before {hour}, in {minutes} minutes',
  ),
  hour: list(
    '5, 6, 7, 8, 9, half 5, half 6, half 7, half 8, 6ish, 7.30, 8.15, quarter past 7, ten, noon, 1pm, 2pm, ' +
      '3.30, 4pm, 8pm, 9am, 10am, eleven, midnight',
  ),
  minutes: list('5, 10, 15, 20, 25, 30, 45, ten, twenty, a few, 5 or 10'),
  few: list('2, 3, 4, 5, two, three, four, a couple of, a few, loads of'),
  digit: list('1, 2, 3, 4, 5, 6, 7, 8, 9'),
  place: list(
    'the pub, the station, the library, the gym, the park, mine, yours, the office, the cinema, the shop, the bus ' +
      'stop, the market, the hall, the cafe on the corner, the chip shop, the pool, the church, the union, town, the ' +
      'surgery, the bank, the car park, the flat, {town}, the garage, Nandos, the usual place',
  ),
  town: list(
    'Leeds, York, Bristol, Bath, Cardiff, Derby, Exeter, Hull, Leicester, Brighton, Reading, Swansea, Oxford, ' +
      'Stoke, Dundee, Preston, Luton, Croydon, Salford, Durham, Norwich, London, Glasgow, Manchester',
  ),
  food: list(
    'curry, pizza, pasta, a roast, fish and chips, soup, noodles, stir fry, sausages, chilli, a sandwich, toast, ' +
      'lasagne, burgers, tacos, salad, a takeaway, Chinese, kebab, pancakes, leftover rice, jacket potatoes, dumplings',
  ),
  drink: list(
    'a coffee, tea, a pint, wine, cider, hot chocolate, a beer, juice, a gin, a few drinks, a smoothie',
  ),
  item: list(
    'milk, bread, eggs, nappies, washing up liquid, bin bags, cat food, cheese, batteries, a card, stamps, ' +
      'wrapping paper, teabags, loo roll, onions, some ice, a light bulb, butter, crisps, paracetamol',
  ),
  thing: list(
    'keys, charger, umbrella, jacket, phone, laptop, wallet, glasses, bike, notes, ticket, book, scarf, ' +
      'passport, camera, headphones, lunch box, gym bag, calculator, rucksack',
  ),
  event: list(
    'the gig, the wedding, the match, football, the quiz, choir, practice, the party, the barbecue, the funeral, the ' +
      'meeting, rehearsal, yoga, the film, dinner, the christening, the play, the talk, five a side, the picnic, ' +
      "{name}'s birthday, {name}'s leaving do, the school play, swimming",
  ),
  show: list(
    'the match, the news, that baking thing, the quiz show, a film, the snooker, the tennis, that detective thing, ' +
      'the last episode, a documentary about {owls|trains|the sea|bees|bridges}, the rugby, the darts',
  ),
  subject: list(
    'maths, history, biology, law, chemistry, economics, stats, French, physics, geography, nursing, accounting',
  ),
  ill: list(
    'a cold, a headache, a sore throat, hay fever, a bad back, toothache, a temperature, flu, a stomach bug, a cough',
  ),
  feeling: list(
    'tired, bored, happy, a bit low, knackered, excited, hungry, nervous, fine, stressed, sleepy, so much better, ' +
      'annoyed, freezing, full, lonely, grumpy, proud of you, all over the place',
  ),
  weather: list(
    'raining, pouring, freezing, boiling, snowing, windy, foggy, lovely and sunny, grim, icy, muggy, hailing',
  ),
  transport: list('bus, train, tram, taxi, car, lift, coach, ferry, tube'),
  adverb: list('really, so, quite, pretty, very, a bit, well'),
  brand: list(
    'Nokira, Samsong, Moto-7, Fonix, Sonera, Zelo, Palmero, Blueberri, Orbit, Pixa, Lumo, Vertex', // no real makers
  ),
  service: list(
    'RingBox, TextWin, ToneZone, MobiPrize, ChatLine, StarTxt, CashNow, QuizTime, LuckyLine, FlirtNet, PolyFon, ' +
      'GameHub, TxtAuction, DealDrop, LoanLink, ClaimDirect, SimSaver, VoucherHub, BingoBox, StarSign',
  ),
  gadget: list(
    '{brand} camera phone, {brand} video phone, games console, MP3 player, digital camera, plasma TV, DVD player, ' +
      'laptop, satnav, {brand} handset, iPad, mini hi-fi, smart watch, mountain bike',
  ),
  song: list(
    'Summer Rain, Get Up, Hold Tight, Neon Heart, Crazy 4 U, Shake It Down, One More Night, Fever Dream, Dance All Nite',
  ),
  // Ranges that Ofcom keeps free for drama: nobody can be rung on these.
  mobile: (random) => `07700${random.pick(['', ' '])}900${random.digits(3)}`,
  freephone: (random) => `08081${random.pick(['', ' '])}570${random.digits(3)}`,
  premium: (random) => `0909${random.pick(['', ' '])}8790${random.digits(3)}`,
  ukwide: (random) => `03069${random.pick(['', ' '])}990${random.digits(3)}`,
  callnumber: ['{freephone}', '{premium}', '{premium}', '{ukwide}', '{mobile}'],
  shortcode: (random) => `8${random.digits(4)}`,
  code: (random) => `${random.pick(['K', 'W', 'X', 'T', 'SP', 'RW'])}${random.digits(2 + random.below(3))}`,
  pounds: list('50, 75, 100, 150, 200, 250, 350, 400, 500, 750, 800, 900, 1000, 1500, 2000, 5000'),
  pence: list('10p, 25p, 50p, £1, £1.50, 150p, £3, £2.50, 60p, 35p, £4.50'),
  site: list(
    'www.ringbox.example, www.txtwin.example, www.tonezone.example, www.mobiprize.example, www.claimit.example, ' +
      'www.chatline.example, www.dealdrop.example, www.quiztime.example, http://wap.starxt.example, txtauction.example',
  ),
  box: (random) =>
    `PO Box ${100 + random.below(9000)}, ${random.pick(['LS', 'M', 'B', 'W1', 'SK', 'CR'])}${1 + random.below(30)}`,
  age: list('16+, 18+, over 18s only, 18 or over'),
};

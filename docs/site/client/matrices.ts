/** The map of the model by ‖ΔW‖/‖W‖, and one of its matrices in full: W, A, B, ΔW, singular values, strength. */

import type { Dose, Lab, Matrices } from '../worker/lab-messages.ts';
import { withClock } from './clock.ts';
import { button, element, labelled } from './dom.ts';
import { colour, heatMap, largest, short } from './draw.ts';
import type { LabWorker } from './lab-worker.ts';
import { percent } from './message.ts';

const COLUMNS = ['att.W_query', 'att.W_key', 'att.W_value', 'att.out_proj', 'ff.layers.0', 'ff.layers.2'];
/** AdamW makes every weight a little smaller at each step, whatever its gradient. That decay does not count as a move. */
const WEIGHT_DECAY = 1e-4;
const NAMES = ['query', 'key', 'value', 'out', 'ff in', 'ff out'];

/** @param asking takes the model for the work alone; see lab.ts */
export function matrixMap(worker: LabWorker<Lab>, asking: <T>(work: () => Promise<T>) => Promise<T>) {
  const body = element('tbody', {});
  const heads = [element('td', {}), ...NAMES.map((name) => element('th', { scope: 'col' }, name))];
  const table = element(
    'table',
    { className: 'map-table' },
    element('thead', {}, element('tr', {}, ...heads)),
    body,
  );
  const cells = new Map<string, HTMLButtonElement>();
  const note = element('p', { role: 'status', ariaLabel: 'What has moved' });
  const maps = element('div', { className: 'maps' });
  const [row, column] = [0, 1].map(() => element('input', { type: 'number', min: '0', value: '0' }));
  const explained = element('p', { role: 'status', ariaLabel: 'The cell explained' });
  const spectrum = element('p', { role: 'group', ariaLabel: 'Singular values' });
  const strength = element('input', { type: 'range', min: '0', max: '2', step: '0.05', value: '1' });
  const directions = element('input', { type: 'range', min: '0', max: '16', step: '1', value: '16' });
  const said = element('p', { role: 'status', ariaLabel: 'Accuracy with this dose' });
  const measure = button('Accuracy with these', () => void measured('Counting', accuracy));
  const merge = button('Merge and unmerge', () => void measured('Merging', merged));

  let shown: Matrices | undefined;
  let chosen = '';
  const self = {
    place: element(
      'div',
      {},
      element(
        'div',
        { className: 'wide', tabIndex: 0, role: 'region', ariaLabel: 'Map of the model' },
        table,
      ),
      note,
      maps,
      element('div', { className: 'controls' }, labelled('Row', row), labelled('Column', column)),
      explained,
      spectrum,
      element(
        'div',
        { className: 'controls' },
        labelled('Directions', directions),
        labelled('Strength', strength),
      ),
      element('div', { className: 'controls' }, measure, merge),
      said,
    ),
    /** Called when the dose changes. */
    onDose: (): void => {},
    messageText: (): string => '',
    dose: (): Dose => {
      const kept = Number(directions.value);
      return {
        strength: Number(strength.value),
        directions: kept < Number(directions.max) ? kept : undefined,
      };
    },
    /** The controls that ask the model, and those that measure it. */
    questions: [strength, directions],
    measures: [measure, merge],
    /** Redraws the map with the worker's present model. */
    async refresh(): Promise<void> {
      try {
        await redraw();
      } catch (error) {
        note.hidden = false;
        note.textContent = (error as Error).message;
      }
    },
  };

  async function redraw(): Promise<void> {
    const layers = await worker.ask((lab) => lab.moved());
    const most = Math.max(1e-9, ...layers.map(({ share }) => share));
    if (layers.length !== cells.size || layers.some(({ path }) => !cells.has(path)))
      build(layers.map(({ path }) => path));
    for (const { path, share } of layers) {
      const cell = cells.get(path)!;
      cell.textContent = share === 0 ? '0' : `${(100 * share).toFixed(1)}%`;
      cell.ariaLabel = `${path} ${cell.textContent}`;
      cell.style.background = `rgb(${colour(share, most).join(' ')})`;
    }
    const factors = layers.flatMap(({ factors: both }) => both ?? []);
    const aHasMoved = factors.some(({ aMoved }) => aMoved > WEIGHT_DECAY);
    const bHasMoved = factors.some(({ b }) => b > 0);
    note.textContent = `A ${aHasMoved ? 'has moved' : 'has not moved'}; B ${bHasMoved ? 'has moved' : 'is zero'}.`;
    note.hidden = factors.length === 0;
    await select(cells.has(chosen) ? chosen : layers[0].path);
  }

  function build(paths: readonly string[]): void {
    cells.clear();
    const blocks = [...new Set(paths.map((path) => /^trf_blocks\.\d+/.exec(path)?.[0]))].filter(Boolean);
    const cell = (path: string | undefined) => {
      if (!path) return element('td', {});
      const made = button('0', () => void choose(path));
      cells.set(path, made);
      return element('td', {}, made);
    };
    const rows = blocks.map((block, i) => {
      const inBlock = COLUMNS.map((name) => cell(paths.find((path) => path === `${block}.${name}`)));
      return element('tr', {}, element('th', { scope: 'row' }, `block ${i + 1}`), ...inBlock);
    });
    const others = paths.filter((path) => !path.startsWith('trf_blocks')).map((path) => cell(path));
    body.replaceChildren(...rows, element('tr', {}, element('th', { scope: 'row' }, 'head'), ...others));
  }

  /** As `select`, for a visitor. A mistake is shown where the cell is explained. */
  async function choose(path: string): Promise<void> {
    try {
      await select(path);
    } catch (error) {
      explained.textContent = (error as Error).message;
    }
  }

  async function select(path: string): Promise<void> {
    chosen = path;
    for (const [name, cell] of cells) cell.setAttribute('aria-pressed', String(name === path));
    const matrices = await worker.ask((lab) => lab.matrices({ path }));
    if (path === chosen) show(matrices);
  }

  function show(matrices: Matrices): void {
    const isOther = shown?.path !== matrices.path || shown.rank !== matrices.rank;
    shown = matrices;
    const { W, delta, A, B, inDim, outDim, rank, singular } = matrices;
    const limit = largest(W);
    const figures = [
      figure('W', W, inDim, outDim, limit),
      ...(A && B ? [figure('A', A, inDim, rank, largest(A)), figure('B', B, rank, outDim, largest(B))] : []),
      figure('ΔW', delta, inDim, outDim, largest(delta)),
    ];
    maps.replaceChildren(...figures);
    row.max = String(inDim - 1);
    column.max = String(outDim - 1);
    if (isOther && rank > 0) {
      directions.max = String(rank);
      directions.value = String(rank);
    }
    const values = singular?.map((value) => short(value)).join(', ');
    spectrum.textContent = values ? `Singular values of ΔW, at most ${rank}: ${values}` : '';
    explain();
  }

  function figure(
    name: string,
    values: Float32Array,
    rows: number,
    columns: number,
    limit: number,
  ): HTMLElement {
    const canvas = element('canvas', {
      role: 'img',
      ariaLabel: `${name} of ${chosen}, ${rows} × ${columns}`,
    });
    heatMap(canvas, values, rows, columns, limit);
    if (name === 'ΔW') {
      canvas.onpointermove = ({ offsetX, offsetY }) => {
        row.value = String(Math.min(rows - 1, Math.floor((offsetY / canvas.clientHeight) * rows)));
        column.value = String(Math.min(columns - 1, Math.floor((offsetX / canvas.clientWidth) * columns)));
        explain();
      };
    }
    const caption = `${name} [${rows}, ${columns}], full colour at ±${short(limit)}`;
    return element('figure', {}, canvas, element('figcaption', {}, caption));
  }

  /** A number of ΔW is a row of A times a column of B. */
  function explain(): void {
    if (!shown) return;
    const { A, B, delta, rank, scaling, inDim, outDim } = shown;
    const [i, j] = [position(row, inDim), position(column, outDim)];
    const value = short(delta[i * outDim + j]);
    if (!A || !B) {
      explained.textContent = `ΔW[${i}, ${j}] = ${value}`;
      return;
    }
    const terms = Array.from(
      { length: Math.min(rank, 4) },
      (_, k) => `${short(A[i * rank + k])} · ${short(B[k * outDim + j])}`,
    );
    const rest = rank > terms.length ? ` + … (${rank} terms)` : '';
    explained.textContent = `ΔW[${i}, ${j}] = ${short(scaling)} · (${terms.join(' + ')}${rest}) = ${value}: row ${i} of A times column ${j} of B`;
  }

  /** Shows a measurement of the model, or the reason why there is none. */
  async function measured(text: string, work: () => Promise<string>): Promise<void> {
    try {
      const result = await asking(() => withClock(said, text, work));
      said.textContent = result;
    } catch (error) {
      said.textContent = (error as Error).message;
    }
  }

  async function accuracy(): Promise<string> {
    const dose = self.dose();
    const shares = await worker.ask((lab) => lab.accuracy(dose));
    const [train, valid, test] = [shares.train, shares.valid, shares.test].map(percent);
    const kept = dose.directions ?? directions.max;
    return `With ${kept} directions at strength ${dose.strength}: train ${train}, valid ${valid}, test ${test}.`;
  }

  async function merged(): Promise<string> {
    const text = self.messageText();
    const { difference, apartMs, mergedMs } = await worker.ask((lab) => lab.merge({ text }));
    return `Merged, W + ΔW as one matrix: the logits differ by ${difference.toExponential(1)}; ${apartMs.toFixed(1)} ms a message apart, ${mergedMs.toFixed(1)} ms merged.`;
  }

  row.oninput = column.oninput = explain;
  strength.oninput = directions.oninput = () => {
    strength.ariaValueText = `${strength.value} times`;
    self.onDose();
  };
  return self;
}

/** The row or column that a field holds; the nearest, if no row or column has that number. */
function position({ value }: HTMLInputElement, count: number): number {
  return Math.max(0, Math.min(count - 1, Math.trunc(Number(value)) || 0));
}

export function wake(_place: HTMLElement): void {}

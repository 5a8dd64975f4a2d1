import { FetchMeter } from './fetch-progress.ts';

test('finished files count in full, those on their way by what has come', () => {
  const meter = new FetchMeter();
  expect(meter.read('Progress (1): 4.1/18 kB')).toBe(4_100);
  expect(meter.read('Downloaded from central: https://repo.example/a.jar (18 kB at 564 kB/s)')).toBe(18_000);
  expect(meter.read('Progress (3): 0.2/2.3 MB | 0.2/7.3 MB | 1.0 MB')).toBe(18_000 + 1_400_000);
});

test('lines about anything else change nothing', () => {
  const meter = new FetchMeter();
  meter.read('Downloaded from central: https://repo.example/a.jar (6.7 MB at 24 MB/s)');
  expect(meter.read('[INFO] BUILD SUCCESS')).toBe(6_700_000);
  expect(meter.read('Downloading from central: https://repo.example/b.jar')).toBe(6_700_000);
});

/** All primes below a number, by the sieve of Eratosthenes. */
export function primesBelow(limit) {
  const isComposite = new Uint8Array(limit);
  const primes = [];
  for (let n = 2; n < limit; n++) {
    if (isComposite[n]) continue;
    primes.push(n);
    for (let multiple = n * n; multiple < limit; multiple += n) isComposite[multiple] = 1;
  }
  return primes;
}

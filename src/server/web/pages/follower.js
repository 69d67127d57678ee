/** Keeps a scroller at its end while text grows, unless the reader has scrolled away. */
const kNear = 80; // pixels from the end that count as there

export class Follower {
  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} jumpButton shown while the end is out of sight
   */
  constructor(scroller, jumpButton) {
    this.scroller = scroller;
    this.jumpButton = jumpButton;
    this.follows = true;
    this.top = 0;
    scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    jumpButton.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.grown()).observe(scroller);
  }

  get distance() {
    return this.scroller.scrollHeight - this.scroller.clientHeight - this.scroller.scrollTop;
  }

  scrolled() {
    // Upwards can only be the reader; downwards is the reader's wish once the end is near.
    if (this.scroller.scrollTop < this.top - 2 && this.distance > 4) this.follows = false;
    else if (this.distance < kNear) this.follows = true;
    this.top = this.scroller.scrollTop;
    this.jumpButton.hidden = this.follows || this.distance < kNear;
  }

  grown() {
    if (this.follows) this.scroller.scrollTop = this.scroller.scrollHeight;
    this.top = this.scroller.scrollTop;
    this.jumpButton.hidden = this.follows || this.distance < kNear;
  }

  toEnd() {
    this.follows = true;
    this.grown();
  }
}

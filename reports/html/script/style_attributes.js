"use strict";

// The page's policy refuses style attributes that a script sets as text, as plotly does here and there; the
// same words through the CSSOM are let in.
{
  const set = Element.prototype.setAttribute;
  Element.prototype.setAttribute = function (name, value) {
    if (name === "style") this.style.cssText = value;
    else set.call(this, name, value);
  };
}

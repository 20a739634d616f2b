// The page's policy refuses style attributes that a script sets as text, as plotly sometimes does. The same
// declarations are allowed through the CSSOM.
{
  const set = Element.prototype.setAttribute;
  Element.prototype.setAttribute = function (name, value) {
    if (name === "style") this.style.cssText = value;
    else set.call(this, name, value);
  };
}

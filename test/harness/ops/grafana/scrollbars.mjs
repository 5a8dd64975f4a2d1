import * as React from 'react';
export default function Scrollbars({ children, className, style }) {
  return React.createElement('div', { className, style: { overflow: 'auto', height: '100%', ...style } }, children);
}
export { Scrollbars };

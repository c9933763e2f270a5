Hello, {{name}}{{sign}}

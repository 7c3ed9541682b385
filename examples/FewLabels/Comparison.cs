namespace FewLabels;

/// <summary>What a share of the labels gave: shares of the test images that are recognised.</summary>
internal sealed record Comparison(double Percent, int Images, double Pretrained, double FromScratch);

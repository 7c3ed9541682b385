namespace ExistingApp;

/// <summary>What was sent is no image that can be scored; the message is for whoever sent it.</summary>
internal sealed class BadImageException(string message, int statusCode = StatusCodes.Status400BadRequest) : Exception(message)
{
    public int StatusCode { get; } = statusCode;
}

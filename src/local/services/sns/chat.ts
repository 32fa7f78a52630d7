/** AWS Chatbot's endpoint: it confirms its subscriptions itself, and its messages go to chat channels. */
export const CHATBOT = 'https://global.sns-api.chatbot.amazonaws.com';
